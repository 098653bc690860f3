/** The class of every chart; fixed, so that the style Plot writes into it has one hash (see build/csp-plugin.ts). */
export const CHART_CLASS = "cm-plot";
