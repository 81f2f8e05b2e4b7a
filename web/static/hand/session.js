// What was scanned for one document is kept in the browser until the server has it: it survives a reload and a dead spot.
export function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const fresh = () => ({ key: randomKey(), entries: [], waiting: false });

export function openSession(name) {
  const place = `scm.scans.${name}`;
  let state = fresh();
  try {
    state = JSON.parse(localStorage.getItem(place)) || state;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // what cannot be read is begun anew
  }
  const save = () => localStorage.setItem(place, JSON.stringify(state));
  return {
    name,
    get state() {
      return state;
    },
    get entries() {
      return state.entries;
    },
    add(entry) {
      state.entries.push(entry);
      save();
    },
    undo() {
      const entry = state.entries.pop();
      save();
      return entry;
    },
    keep(values) {
      Object.assign(state, values);
      save();
    },
    only(known) {
      const before = state.entries.length;
      state.entries = state.entries.filter(known);
      if (before !== state.entries.length) save();
      return before - state.entries.length;
    },
    clear() {
      state = fresh();
      localStorage.removeItem(place);
    },
  };
}

export function forget(name) {
  localStorage.removeItem(`scm.scans.${name}`);
}

export function unlock(name) {
  const session = openSession(name);
  session.keep({ waiting: false });
}
