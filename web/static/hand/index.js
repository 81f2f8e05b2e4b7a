// A page without a document of its own: a scan leads to whatever was scanned.
import { lookUp, say, show, start, words, wrong } from "./task.js";

async function scan(text) {
  const found = await lookUp(text);
  if (found.offline) return wrong(words.noNetwork, words.offlineScan, { code: text });
  if (found.address) return location.assign(found.address);
  wrong(words.wrongScan, found.kind ? say("isA", { kind: words[found.kind] }) : found.text, { ...found, code: found.code || text });
}

start({ scan, draw: () => show({ kind: "idle", title: words.scanNext, detail: words.scanWhat }, { silent: true }) });
