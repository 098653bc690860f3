/** Which tests run a second time, against sites without a server, and which of these cannot. */

/** The Playwright project of these tests. */
export const SITE_PROJECT = "site";

/** Layout, states, themes, charts, products and events: the page shows the same numbers from files. */
export const STATIC_SPECS: readonly RegExp[] = [
  /(average|chart|events|first-screen|layout|product|site|states|zoom)\.spec\.ts/,
];

/** Tests of these specs that cannot pass without a server, with the reason. */
const REASONS: Readonly<Record<string, string>> = {
  "the compare state is accessible": "comparing series that somebody chooses is disabled",
  "the unknown-metric state is accessible": "its link compares, and no API proposes a name",
  "when the script replaces the static page": "it holds back the API's answers, and there are none",
  "400 % zoom": "it takes a minute, and its layout is that of the page with a server",
  "a product that lost much is shown": "it changes an answer of the API on its way",
};

export const NEED_A_SERVER = new RegExp(Object.keys(REASONS).join("|"));
