/** Which tests do not run a second time, against sites without a server, and why. All others do. */

/** The Playwright project of the tests against sites. */
export const SITE_PROJECT = "site";

const NOT_THE_PAGE = "it is not about the page";
const MEASURES = "it measures the page with a server, whose code is the same";

/** Specs of which no test runs against a site, by the name of their file. */
export const OTHER_SPECS: Readonly<Record<string, string>> = {
  bundle: NOT_THE_PAGE,
  config: NOT_THE_PAGE,
  cors: "a site asks no other origin: its answers are files beside it",
  demo: "to write a site of the demo takes longer than these tests; each frozen answer says that it is sample data",
  fonts: "its layout is that of the page with a server",
  "large-catalogue": MEASURES,
  lighthouse: MEASURES,
  outages: "it needs a server that is slow or fails, and files do neither",
};

const CHANGES_ANSWERS = "it changes or stops an answer of the API on its way";
const ONCE = "another width or theme runs, and the styles are those of the page with a server";

/** Tests of other specs that do not run against a site: a pattern of their titles, and the reason. */
export const OTHER_TESTS: Readonly<Record<string, string>> = {
  "the unknown-metric state is accessible": "no API proposes a name",
  "a mistyped metric in a link is corrected": "no API proposes a name",
  "the headline leads to its numbers": "it leads to the API",
  "the embed panel has a chart of all series":
    "pictures of several series need a server; site.spec.ts has the others",
  "the first screen renders before what draws": "it looks at the requests to the API",
  "an export whose code cannot be loaded": "a site has all of the page's code in one file",
  "when the script replaces the static page": CHANGES_ANSWERS,
  "a product that lost much is shown": CHANGES_ANSWERS,
  "a long name is measured": CHANGES_ANSWERS,
  "a slide says of each number": CHANGES_ANSWERS,
  "a text or slide without its insights": CHANGES_ANSWERS,
  "a chart that could not be loaded is printed": CHANGES_ANSWERS,
  "200 products are": CHANGES_ANSWERS,
  "every one of 200 rows is reached": CHANGES_ANSWERS,
  "every target of the first screen has 44 pixels": CHANGES_ANSWERS,
  "a product without any value has no row": CHANGES_ANSWERS,
  "many products are grouped": CHANGES_ANSWERS,
  "400 % zoom": "it takes a minute, and its layout is that of the page with a server",
  "dark the [a-z-]+ state is accessible": ONCE,
  "axe finds nothing .* in dark": ONCE,
  "in dark colours": ONCE,
  "at (390|1024|1600|2560) px nothing overflows": ONCE,
  "at (390|1440) px every insight is read": ONCE,
  "at (390|600|800) px a row has every column": ONCE,
};

export const NOT_OF_A_SITE = new RegExp(`/(${Object.keys(OTHER_SPECS).join("|")})\\.spec\\.ts$`);
export const NEED_A_SERVER = new RegExp(Object.keys(OTHER_TESTS).join("|"));
