
// ---- Pairs of events: which begin belongs to which end. Linear in the number of events.

const BEGINS = /_?(BEGIN|BEGUN|START|STARTED|OPEN|OPENED|ENTER|ENTERED|RECEIVED|REQUESTED|PLACED|SENT|ABOUT)$/i;
const ENDS = /_?(END|ENDED|DONE|FINISH|FINISHED|STOP|STOPPED|CLOSE|CLOSED|EXIT|LEFT|ANSWERED|FILLED|COMPLETE|COMPLETED)$/i;
// What gives the most telling rows comes first.
const KINDS = ["route", "path", "endpoint", "url", "operation", "op", "method", "query", "kind", "name", "symbol", "tenant"];
const REQUESTS = /(request|req|http|rpc|call|handle)$/i;
const NUMBERS = /^&?\s*([ui](8|16|32|64|128|size)|f32|f64)$/;

const last = (event) => event.name.split("::").pop();
const seen = (event) => event.parameters.filter((parameter) => !parameter.redacted);
const has = (event, parameter) => seen(event).some((other) => other.name === parameter.name && other.type === parameter.type);
const inCommon = (begin, end) => seen(begin).filter((parameter) => has(end, parameter));
const kind = (name) => (KINDS.includes(name.toLowerCase()) ? KINDS.length - KINDS.indexOf(name.toLowerCase()) : 0);

function labelsOf(begin, end, key) {
  const names = [...seen(end), ...seen(begin)].map((parameter) => parameter.name).filter((name) => name !== key);
  return [...new Set(names)].sort((a, b) => kind(b) - kind(a));
}

// The key: rather not a parameter that is a label by its name.
const keysOf = (begin, end) => inCommon(begin, end).map(({ name }) => name).sort((a, b) => kind(a) - kind(b));

// Pairs whose names differ in the ending only, as NAME_BEGIN and NAME_END do, and that have a parameter in common.
function namedPairs(events) {
  const ends = new Map();
  for (const event of events) if (ENDS.test(event.name)) ends.set(event.name.replace(ENDS, ""), [...(ends.get(event.name.replace(ENDS, "")) || []), event]);
  const pairs = [];
  for (const begin of events) {
    if (!BEGINS.test(begin.name)) continue;
    const stem = begin.name.replace(BEGINS, "");
    const end = (ends.get(stem) || []).find((end) => inCommon(begin, end).length);
    if (end) pairs.push({ stem, begin, end });
  }
  return pairs;
}

const best = (all, score) => {
  let [found, most] = [undefined, -Infinity];
  for (const one of all) {
    const points = score(one);
    if (points > most) [found, most] = [one, points];
  }
  return found;
};

// The end for a begin: of the same stem, or at least alike. The shared stem decides.
function endFor(begin, events) {
  const stem = begin.name.replace(BEGINS, "");
  const of = last(begin);
  return best(events.filter((event) => event !== begin && inCommon(begin, event).length), (event) => {
    let alike = 0;
    while (alike < of.length && of[alike] === last(event)[alike]) alike++;
    const same = ENDS.test(event.name) && event.name.replace(ENDS, "") === stem ? 1000 : 0;
    return same + (ENDS.test(event.name) ? 100 : 0) - (BEGINS.test(event.name) ? 100 : 0) + alike;
  });
}

// The pair to begin with: of the events in `pool`, a set of names, if they have one.
function firstPair(events, pool) {
  const inside = ({ begin, end }) => 100 * (pool.has(begin.name) + pool.has(end.name));
  const pair = best(namedPairs(events), (pair) => {
    const labels = labelsOf(pair.begin, pair.end, keysOf(pair.begin, pair.end)[0]);
    return inside(pair) + (REQUESTS.test(pair.stem) ? KINDS.length : 0) + (labels.length ? kind(labels[0]) : -1);
  });
  if (pair && (inside(pair) || !pool.size)) return pair;
  // No such names: any two with a parameter in common.
  const counts = new Map();
  const keys = (event) => seen(event).map(({ name, type }) => name + " " + type);
  for (const event of events) for (const key of keys(event)) counts.set(key, (counts.get(key) || 0) + 1);
  const paired = (event) => keys(event).some((key) => counts.get(key) > 1);
  const begin = events.find((event) => pool.has(event.name) && paired(event)) || events.find(paired);
  return begin && { begin, end: endFor(begin, events) };
}

// A begin and its end, by their names, are a slice in a trace.
function slices(events) {
  return namedPairs(events).slice(0, 50).map(({ stem, begin, end }) => {
    const name = stem.split("::").pop().toLowerCase() || last(begin).toLowerCase();
    return [name, begin.name, end.name, keysOf(begin, end)[0]].join(",");
  });
}
