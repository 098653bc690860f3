/** The sets of fonts that the layout is tested under, whatever the machine's own fonts are. */
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface FontSet {
  readonly family: string;
  /** The fontconfig file under which Chromium finds this family and no other. */
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

/** As the files under fonts/ have it. */
const FOLDER = "/usr/share/fonts";

/** Returns the sets that this machine has; says which one is missing, and fails in CI where one is. */
export function installedFontSets(): readonly FontSet[] {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER, { recursive: true, encoding: "utf8" }) : [];
  const installed = SETS.filter(({ file }) => files.some((name) => file.test(name)));
  for (const { family, debianPackage } of SETS.filter((set) => !installed.includes(set))) {
    const reason = `the layout under ${family}: it is not in ${FOLDER}. Fix: \`apt-get install ${debianPackage}\`.`;
    if (process.env.CI) throw new Error(`Cannot test ${reason}`);
    // Playwright loads its configuration in each worker, too
    if (process.env.TEST_WORKER_INDEX === undefined) console.warn(`! SKIPPED: ${reason}`);
  }
  return installed;
}
