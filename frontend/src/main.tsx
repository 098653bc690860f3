import { createRoot } from "react-dom/client";
import { App } from "./app";
import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/states.css";
import "./styles/overview.css";
import "./styles/charts.css";
import "./styles/tables.css";
import "./styles/print.css";

const place = document.getElementById("app");
if (place === null) throw new Error("index.html has no #app");
place.replaceChildren();
createRoot(place).render(<App />);
