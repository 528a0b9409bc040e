// An MQTT broker as a process: node broker.mjs FOLDER-OF-node_modules PORT [KEY CERTIFICATE]
// Users `gateway` and `meter` have the password "word". Sessions live as long as the process.
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, port, key, certificate] = process.argv.slice(2);
const { Aedes } = await import(pathToFileURL(createRequire(folder + "/").resolve("aedes")));
const broker = await Aedes.createBroker({
    authenticate: (client, user, password, done) =>
        done(null, ["gateway", "meter"].includes(user) && String(password) === "word"),
});
const server = key
    ? createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, broker.handle)
    : createServer(broker.handle);
server.listen(Number(port), "127.0.0.1");
process.stdin.on("end", () => process.exit()).resume(); // its test is gone
