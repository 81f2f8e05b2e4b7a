// A scanner is a keyboard that types fast and ends with Enter. A scan anywhere on the page goes to the scan box;
// one that hits a field for a quantity is taken out of it again.
const GAP = 90; // milliseconds between two keys of one scan, at most
const SHORTEST = 5;

const isField = (target) => target.matches?.("input:not([type=checkbox]):not([type=radio]), textarea, select");
const inDialog = (target) => target.closest?.("dialog[open]");

export function listen(handle) {
  const box = document.getElementById("scan-text");
  let keys = [];
  let last = 0;
  let before = "";
  let busy = Promise.resolve();
  document.body.dataset.scanning = "";

  function take(text) {
    box.value = "";
    const scanned = text.trim();
    if (scanned) busy = busy.then(() => handle(scanned)); // one after the other, however fast they come
  }

  document.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const { target } = event;
      if (event.timeStamp - last > GAP) keys = [];
      last = event.timeStamp;
      if (event.key === "Enter") {
        const text = keys.join("");
        keys = [];
        if (target === box || (!isField(target) && !inDialog(target) && box.value)) {
          event.preventDefault();
          take(box.value);
        } else if (target.type === "number" && text.length >= SHORTEST) {
          event.preventDefault();
          target.value = before;
          target.closest("dialog")?.close();
          take(text);
        }
        return;
      }
      if (event.key.length !== 1) return;
      document.dispatchEvent(new Event("scm:scanning"));
      if (!keys.length) before = isField(target) ? target.value : "";
      keys.push(event.key);
      if (isField(target) || inDialog(target) || (event.key === " " && !box.value)) return;
      box.focus({ preventScroll: true }); // the character lands in the box
    },
    true,
  );

  // Without a scanner the code is typed: only then the keyboard of the phone comes up.
  document.getElementById("type")?.addEventListener("click", () => {
    box.inputMode = box.inputMode === "none" ? "text" : "none";
    box.blur();
    box.focus();
  });
  if (matchMedia("(hover: hover)").matches) box.focus({ preventScroll: true });
}
