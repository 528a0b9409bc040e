// solc from npm behind solc's own command line: --version, and --standard-json from stdin or from a file.
// Every source must be in the input, or lie below the project's folder (base path) or an --include-path.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const root = path.resolve(__dirname, "..");
const solc = require(path.join(root, "node_modules", "solc"));

const flagsWithValue = new Set(["--base-path", "--include-path", "--allow-paths"]);

/** Splits the command line into what is asked for and where sources may lie. */
function parse(args) {
  const asked = { version: false, standardJson: false, file: null, searched: [] };
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i];
    if (arg === "--version" || arg === "-V") asked.version = true;
    else if (arg === "--standard-json") asked.standardJson = true;
    else if (flagsWithValue.has(arg)) {
      i += 1;
      if (arg !== "--allow-paths") asked.searched.push(args[i]);
    } else if (arg.startsWith("-")) throw new Error(`option ${arg} is not supported`);
    else asked.file = arg;
  }
  if (asked.searched.length === 0) asked.searched.push(process.cwd());
  asked.searched.push(path.join(root, "node_modules"));
  return asked;
}

/** Answers the compiler's request for a source that the input only names. */
function reader(searched) {
  return (name) => {
    for (const folder of searched) {
      const file = path.resolve(folder, name);
      if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
    }
    return { error: `source ${name} was not found` };
  };
}

function main() {
  const asked = parse(process.argv.slice(2));
  if (asked.version) {
    console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
    return;
  }
  if (!asked.standardJson) throw new Error("only --version and --standard-json are supported");
  const input = fs.readFileSync(asked.file ?? 0, "utf8");
  const output = solc.compile(input, { import: reader(asked.searched) });
  process.stdout.write(output);
}

try {
  main();
} catch (error) {
  console.error(`solc-wrapper: ${error.message}`);
  process.exitCode = 1;
}
