/// <reference types="vitest/config" />
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { cspPlugin } from "./build/csp-plugin.ts";
import { staticPlugin } from "./build/static-plugin.ts";
import { DEFAULT_TITLE, titlePlugin } from "./build/title.ts";

const API = process.env.VITE_API_BASE_URL ?? "";
const TITLE = process.env.VITE_TITLE || DEFAULT_TITLE;

// The sources import from react. To use React instead of Preact, remove this alias and install react and react-dom.
const PREACT = {
  "react/jsx-runtime": "preact/jsx-runtime",
  "react-dom/client": "preact/compat/client",
  react: "preact/compat",
};

// `vite build --mode static`: one classic script and relative addresses, for `community-metrics site`
export default defineConfig(({ mode }) => ({
  base: mode === "static" ? "./" : "/",
  resolve: { alias: PREACT },
  plugins: [
    titlePlugin(TITLE),
    cspPlugin({ apiBaseUrl: API, isOnVercel: process.env.VERCEL === "1", isStatic: mode === "static" }),
    ...(mode === "static" ? [staticPlugin()] : []),
  ],
  server: { proxy: API ? {} : { "/api": "http://127.0.0.1:8000" } },
  build: {
    target: "es2022",
    // one script has nothing to preload, and would have its styles in it
    modulePreload: mode === "static" ? false : { polyfill: false },
    cssCodeSplit: mode !== "static",
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    outDir: mode === "static" ? "dist-static" : "dist",
    rolldownOptions: {
      input: fileURLToPath(new URL("index.html", import.meta.url)),
      ...(mode === "static" ? { output: { format: "iife" as const, codeSplitting: false } } : {}),
      // Vite's own code for loading on demand has it, and nothing of it runs in one script
      checks: { emptyImportMeta: mode !== "static" },
    },
  },
  test: { include: ["src/**/*.test.ts", "build/**/*.test.ts"], environment: "node" },
}));
