import { createRoot } from "react-dom/client";
import { App } from "./app";
import { watchPrinting } from "./hooks/printing";
import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/states.css";
import "./styles/menu.css";
import "./styles/overview.css";
import "./styles/charts.css";
import "./styles/product.css";
import "./styles/tables.css";
import "./styles/print.css";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no #app element");
root.replaceChildren();
watchPrinting();
createRoot(root).render(<App />);
