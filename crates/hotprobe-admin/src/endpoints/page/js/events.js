
// ---- The events: the list, the chosen ones, and their probes.

let events = [];

const rows = () => [...main.querySelectorAll("#events li")];
const place = (event) => `${event.name} ${event.file}:${event.line}:${event.column}`;
const rowPlace = (row) => `${row.dataset.name} ${row.dataset.at}`;
const ticked = () => [...main.querySelectorAll("#events input:checked")].map((box) => box.value);

// What Rates, Tail and Record take: what is ticked, or what the filter shows.
const patterns = () => (ticked().length ? ticked() : [$("events").dataset.pattern]);

// What the panels prefer: what is ticked, or what the filter shows, if it leaves some out.
function preferred() {
  const names = ticked().length ? ticked() : rows().map((row) => row.dataset.name);
  return new Set(names.length < events.length ? names : []);
}

async function readEvents() {
  const { events: all } = await json("events");
  const names = new Set();
  events = all.filter(({ name }) => !names.has(name) && names.add(name));
  return all;
}

// As the server writes it.
function stateOf({ enabled, probe_count: probes, probes: all }) {
  const quarantined = all.filter(({ panicked }) => panicked).length;
  if (quarantined) return ["bad", `${quarantined} of ${probes} ${probes === 1 ? "probe" : "probes"} quarantined`];
  return enabled ? ["on", `on · ${probes} ${probes === 1 ? "probe" : "probes"}`] : ["off", "off"];
}

async function refreshRows() {
  const found = new Map((await readEvents()).map((event) => [place(event), event]));
  for (const row of rows()) {
    const event = found.get(rowPlace(row));
    if (!event) continue;
    const [kind, text] = stateOf(event);
    const state = row.querySelector(".state");
    if (state.textContent !== text) Object.assign(state, { textContent: text, className: "state " + kind });
    const probes = event.probes.map(({ name, panicked }) => {
      const line = make("div", name || "unnamed");
      if (panicked) line.append(" ", make("span", "quarantined: it panicked", "bad"));
      return line;
    });
    row.querySelector(".probes").replaceChildren(...(probes.length ? probes : ["none"]));
  }
}

function chooseText() {
  const boxes = ticked().length;
  $("which").textContent = boxes ? `${boxes} chosen: Rates, Tail and Record take only those.` : "Rates, Tail and Record take all of these. Tick some to take only those.";
}

// The page as the server writes it for this filter. A run continues meanwhile.
async function filter(match) {
  const address = new URL(location.href);
  address.search = match ? new URLSearchParams({ match }) : "";
  const response = await ask(address, { headers: { Accept: "text/html" } });
  const html = new DOMParser().parseFromString(await response.text(), "text/html");
  const list = html.getElementById("events");
  if (!list) throw new Error((html.body.textContent || "").trim());
  history.replaceState(null, "", address);
  $("events").replaceWith(list);
  $("count").textContent = html.getElementById("count").textContent;
  $("events").onchange = () => { chooseText(); openPanel(); };
  chooseText();
}

// ---- Which process this is, and whether it is there.

let stats = null;

function age(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds % 86400 / 3600)} h`;
}

async function refresh() {
  let now;
  try {
    now = await json("stats");
  } catch (error) {
    $("down").textContent = error.message;
    return;
  }
  $("down").textContent = "";
  const facts = {
    pid: now.pid, up: age(now.uptime_seconds), sessions: `${now.sessions} of ${now.max_sessions}`,
    probes: count(now.probes), panics: count(now.probe_panics),
  };
  for (const [id, value] of Object.entries(facts)) $(id).textContent = value;
  $("panics").className = now.probe_panics ? "bad" : "";
  const changed = stats && ["pid", "events", "probes", "events_enabled", "probe_panics"].some((name) => stats[name] !== now[name]);
  const another = stats && (stats.pid !== now.pid || stats.events !== now.events);
  stats = now;
  if (another) await filter($("match").value);
  if (changed) await refreshRows();
}
