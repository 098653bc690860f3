/** The class of every chart; fixed, so that the style Plot writes into it has one hash (see build/strict-page.ts). */
export const CHART_CLASS = "cm-plot";
