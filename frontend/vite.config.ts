/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { cspPlugin } from "./build/csp-plugin.ts";
import { DEFAULT_TITLE, titlePlugin } from "./build/title.ts";

const API = process.env.VITE_API_BASE_URL ?? "";
const TITLE = process.env.VITE_TITLE || DEFAULT_TITLE;

// The sources import from react. To use React instead of Preact, remove this alias and install react and react-dom.
const PREACT = {
  "react/jsx-runtime": "preact/jsx-runtime",
  "react-dom/client": "preact/compat/client",
  react: "preact/compat",
};

export default defineConfig({
  resolve: { alias: PREACT },
  plugins: [titlePlugin(TITLE), cspPlugin({ apiBaseUrl: API, isOnVercel: process.env.VERCEL === "1" })],
  server: { proxy: API ? {} : { "/api": "http://127.0.0.1:8000" } },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    rolldownOptions: { input: fileURLToPath(new URL("index.html", import.meta.url)) },
  },
  test: { include: ["src/**/*.test.ts", "build/**/*.test.ts"], environment: "node" },
});
