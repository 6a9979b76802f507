// Prints the compressed size of the first load of a build, and fails if it exceeds the budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 170;
const folder = process.argv[2] ?? "dist";
const manifest = JSON.parse(readFileSync(`${folder}/.vite/manifest.json`, "utf8"));

/** The entry and its static imports; dynamic imports are not part of the first load. */
function firstLoad(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const imported of manifest[key].imports ?? []) firstLoad(imported, seen);
  return seen;
}

const kilobytes = (file) => gzipSync(readFileSync(`${folder}/${file}`)).length / 1024;
const files = [...firstLoad("index.html")].map((key) => manifest[key].file);
const total = files.reduce((sum, file) => sum + kilobytes(file), 0);
console.log(
  `First load: ${total.toFixed(1)} KB of gzipped JavaScript in ${files.length} files, budget ${BUDGET_KB} KB`,
);
if (total > BUDGET_KB) process.exit(1);
