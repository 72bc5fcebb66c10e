
// ---- The same from a terminal.

const quoted = (word) => (/^[\w:.,/=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

function curlLine([method, path, parameters], seconds) {
  const query = new URLSearchParams([...parameters, ["seconds", seconds]]).toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  const secret = token ? ` -H "Authorization: Bearer $HOTPROBE_TOKEN"` : "";
  const how = method === "POST" ? " -X POST" : path === "stacks" ? "" : " -N";
  const file = path === "record" ? " -OJ" : path === "stacks" ? " -o stacks.pb.gz" : "";
  return `curl${how}${file}${secret} '${new URL(path, document.baseURI)}?${query}'`;
}

function hotprobeLine([, path, parameters], seconds) {
  const of = (name) => parameters.filter(([other]) => other === name).map(([, value]) => value);
  const option = (name, values = of(name)) => values.flatMap((value) => (value ? [`--${name}`, value] : []));
  const time = ["--for", `${seconds}s`];
  const files = { perfetto: "trace.pftrace", chrome: "trace.json", ctf: "trace.tar" };
  const words = {
    latency: () => ["latency", ...of("begin"), ...of("end"), ...of("key"), ...option("label"), ...time],
    rates: () => ["watch", ...of("match"), "--count", String(Math.max(1, Math.round(seconds)))],
    tail: () => ["tail", ...of("match"), ...time],
    record: () => ["record", ...of("match"), "-o", files[of("format")[0]], ...option("slice"), ...time],
    stacks: () => ["stacks", ...of("event"), ...option("weight"), ...option("label"), ...option("every"), ...time, "-o", "stacks.pb.gz"],
  }[path]();
  const url = document.baseURI.replace(/\/$/, "");
  return ["hotprobe", ...words, ...(url === "http://127.0.0.1:9000/debug/probes" ? [] : ["--url", url])].map(quoted).join(" ");
}

async function copy(id, button) {
  const text = $(id).textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  } catch {
    // No permission, or no TLS: chosen, for the user to copy.
    getSelection().selectAllChildren($(id));
  }
}
