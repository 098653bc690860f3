/** The font sets that the layout is tested with, independent of the machine's fonts. */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface FontSet {
  readonly family: string;
  /** A fontconfig file with which Chromium finds only this family. */
  readonly config: string;
  readonly debianPackage: string;
  readonly file: RegExp;
}

const SETS: readonly FontSet[] = [
  {
    family: "DejaVu Sans",
    config: fileURLToPath(new URL("fonts/dejavu.conf", import.meta.url)),
    debianPackage: "fonts-dejavu-core",
    file: /\bDejaVuSans\.ttf$/,
  },
  {
    family: "Noto Sans",
    config: fileURLToPath(new URL("fonts/noto.conf", import.meta.url)),
    debianPackage: "fonts-noto-core",
    file: /\bNotoSans(-Regular|\[.*\])\.(ttf|otf)$/,
  },
];

/** The directory in the files under fonts/. */
const FOLDER = "/usr/share/fonts";

/** Returns the installed sets; warns about a missing one, and throws in CI. */
export function installedFontSets(): readonly FontSet[] {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER, { recursive: true, encoding: "utf8" }) : [];
  const installed = SETS.filter(({ file }) => files.some((name) => file.test(name)));
  for (const { family, debianPackage } of SETS.filter((set) => !installed.includes(set))) {
    const reason = `the layout with ${family}: it is not in ${FOLDER}. Fix: \`apt-get install ${debianPackage}\`.`;
    if (process.env.CI) throw new Error(`Cannot test ${reason}`);
    // Playwright loads its configuration in each worker as well
    if (process.env.TEST_WORKER_INDEX === undefined) console.warn(`! SKIPPED: ${reason}`);
  }
  return installed;
}
