
// ---- Perfetto: hands a trace to its user interface, from tab to tab. Nothing is uploaded.

const PERFETTO = "https://ui.perfetto.dev";
const PATIENCE = 20000;

// Its protocol: it answers PING by PONG as soon as it listens, and then takes a trace.
function openInPerfetto(blob, name) {
  const tab = window.open(PERFETTO);
  if (!tab) return Promise.reject(new Error("the browser blocked the new tab: allow pop-ups for this page, or download the trace"));
  return new Promise((resolve, reject) => {
    const ping = setInterval(() => tab.postMessage("PING", PERFETTO), 100);
    const end = (result) => {
      clearInterval(ping);
      clearTimeout(limit);
      removeEventListener("message", listen);
      result();
    };
    const listen = async (event) => {
      if (event.origin !== PERFETTO || event.source !== tab || event.data !== "PONG") return;
      end(() => {});
      tab.postMessage({ perfetto: { buffer: await blob.arrayBuffer(), title: name, fileName: name } }, PERFETTO);
      resolve();
    };
    addEventListener("message", listen);
    const limit = setTimeout(() => end(() => reject(new Error(
      "ui.perfetto.dev does not answer. Offline: download the trace, and open it where a copy of the Perfetto UI is served; Chrome JSON also opens in speedscope",
    ))), PATIENCE);
  });
}
