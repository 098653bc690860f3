/** The class of every chart; constant, so that Plot's inline style has one hash (see build/csp-plugin.ts). */
export const CHART_CLASS = "cm-plot";
