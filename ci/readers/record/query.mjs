// Opens traces in the Perfetto UI, in headless Chromium, and asks its own trace processor.
//   node query.mjs --ui DIR [--png FILE] QUERIES.json ANSWERS.json
// QUERIES.json: [{"trace": FILE, "cut": BYTES or null, "sql": {NAME: QUERY}}]. ANSWERS.json: for
// each, {NAME: rows}, each value as text or null. The picture is one of the first trace, with its
// longest slice selected.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { browser } from '../chromium.mjs';

const options = {}, rest = [];
for (let i = 2; i < process.argv.length; i++) {
    if (process.argv[i].startsWith('--')) options[process.argv[i].slice(2)] = process.argv[++i];
    else rest.push(process.argv[i]);
}
const queries = JSON.parse(fs.readFileSync(rest[0], 'utf8'));

const types = {
    '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json',
    '.svg': 'image/svg+xml', '.wasm': 'application/wasm',
};
const server = http.createServer((request, response) => {
    let name = decodeURIComponent(request.url.split('?')[0]);
    const trace = name.match(/^\/__trace\/(\d+)/);
    if (trace) {
        const { trace: file, cut } = queries[trace[1]];
        const bytes = fs.readFileSync(file);
        response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' });
        return response.end(cut === null ? bytes : bytes.subarray(0, cut));
    }
    if (name.endsWith('/')) name += 'index.html';
    const file = path.join(options.ui, path.normalize(name));
    if (!fs.existsSync(file) || !fs.statSync(file).isFile()) {
        response.writeHead(404);
        return response.end();
    }
    const type = types[path.extname(file)] || 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
    fs.createReadStream(file).pipe(response);
});
await new Promise(done => server.listen(0, '127.0.0.1', done));
const base = `http://127.0.0.1:${server.address().port}/`;

let code = 0;
try {
    const answers = [];
    const page = await browser.newPage({ viewport: { width: 1280, height: 960 } });
    // Nothing from anywhere else.
    await page.route(url => !url.href.startsWith(base), route => route.abort());
    const failed = new Promise((_, fail) => page.on('pageerror', error => fail(error)));
    failed.catch(() => {});
    for (const [index, { sql }] of queries.entries()) {
        const address = `${base}__trace/${index}`;
        let opened;
        if (index === 0) {
            await page.goto(`${base}#!/?url=${encodeURIComponent(address)}`);
            opened = page.waitForFunction(() => window.app?.trace?.engine, null, { timeout: 600000 });
        } else {
            // In the same page, which spares it the start.
            opened = page.evaluate(async address => {
                const before = app.trace;
                const buffer = await (await fetch(address)).arrayBuffer();
                await app.openTraceFromBuffer({ buffer, title: address, fileName: address });
                for (const begun = Date.now(); !app.trace?.engine || app.trace === before;) {
                    if (Date.now() - begun > 600000) throw new Error(`${address} does not open`);
                    await new Promise(done => setTimeout(done, 20));
                }
            }, address);
        }
        await Promise.race([opened, failed]);
        answers.push(await page.evaluate(async sql => {
            const answers = {};
            for (const [name, query] of Object.entries(sql)) {
                const result = await app.trace.engine.query(query);
                const rows = answers[name] = [];
                for (const row = result.iter({}); row.valid(); row.next()) {
                    const value = column => row.get(column) === null ? null : String(row.get(column));
                    rows.push(Object.fromEntries(result.columns().map(column => [column, value(column)])));
                }
            }
            return answers;
        }, sql));
        if (index === 0 && options.png) {
            await page.setViewportSize({ width: 1280, height: 1080 });
            await page.waitForTimeout(3000);
            await page.evaluate(async () => {
                app.sidebar?.toggleVisibility?.();
                for (const track of app.trace.workspace.flatTracks) {
                    if (track.uri?.startsWith('/process_')) track.expand();
                    if (track.uri?.startsWith('/thread_')) track.expand();
                    if (/System/.test(track.name)) track.remove();
                }
                const result = await app.trace.engine.query(`with counted as (
                        select s.id, s.ts, s.dur, count(inside.id) as count from slice s left join slice inside
                        on inside.parent_id = s.id where s.category = 'slice' group by s.id
                    ), most as (
                        select *, row_number() over (order by dur) as number, count(*) over () as together
                        from counted where count = (select max(count) from counted)
                    ) select id, ts, dur from most where number = (together + 1) / 2`);
                const row = result.iter({});
                const [id, ts, dur] = ['id', 'ts', 'dur'].map(column => row.get(column));
                app.trace.selection.selectSqlEvent('slice', Number(id), { scrollToSelection: true, switchToCurrentSelectionTab: true });
                await new Promise(done => setTimeout(done, 2000));
                // A little more than that.
                const begin = BigInt(ts), more = BigInt(dur) / 8n;
                app.trace.timeline.setViewportTime(begin - more, begin + BigInt(dur) + more);
                app.raf.scheduleFullRedraw();
            });
            // The lower part gets more room.
            const { y } = await page.locator('.pf-header-bar', { hasText: 'Slice' }).last().boundingBox();
            await page.mouse.move(640, y - 20);
            await page.mouse.down();
            await page.mouse.move(640, y - 230, { steps: 5 });
            await page.mouse.up();
            await page.mouse.move(700, 120);
            await page.waitForTimeout(2000);
            await page.screenshot({ path: options.png });
        }
    }
    fs.writeFileSync(rest[1], JSON.stringify(answers));
} catch (error) {
    console.error(String(error));
    code = 1;
}
await browser.close();
server.close();
process.exit(code);
