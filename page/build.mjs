// Bundles the page into a folder: node build.mjs FOLDER. One script and one style, since each file that a browser asks
// for is an invocation of a function.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
if (!folder) throw new Error("node build.mjs FOLDER");
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { chat: "src/main.js", "chat-style": "src/style.css" },
  outdir: folder,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome123", "firefox128", "safari17.5"],
  legalComments: "none", // licences.txt has them whole
  metafile: true,
});
await writeFile(join(folder, "licences.txt"), await licences(Object.keys(metafile.inputs)));

/**
 * The licences of the packages whose files are in the bundle.
 * @param {string[]} inputs
 */
async function licences(inputs) {
  const names = new Set(inputs.map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean));
  const texts = await Promise.all([...names].sort().map((name) => licence(/** @type {string} */ (name))));
  return `This page contains:\n\n${texts.join("\n\n")}`;
}

/** @param {string} name */
async function licence(name) {
  const require = createRequire(import.meta.url);
  const root = join(here, "node_modules", name);
  const { version, license } = require(join(root, "package.json"));
  const text = await readFile(join(root, "LICENSE"), "utf8").catch(() => readFile(join(root, "LICENSE.md"), "utf8"));
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}
