import { createRoot } from "react-dom/client";
import { App } from "./app";
import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/states.css";
import "./styles/overview.css";
import "./styles/charts.css";
import "./styles/tables.css";
import "./styles/print.css";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no #app element");
root.replaceChildren();
createRoot(root).render(<App />);
