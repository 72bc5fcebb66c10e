// Drives the page of a `live_server` that is under load, in headless Chromium, as one who has never
// seen it.
//   node live.mjs SERVER OUT
// OUT gets pictures, and what was downloaded. Needs playwright-core in node_modules of the working
// directory.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { axe } from './axe.mjs';
import { browser, close, open, run, says } from './browser.mjs';

const [server, out] = process.argv.slice(2);
const address = server + '/debug/probes';
const measured = page => says(page, 'Nothing is attached any more');

/** The address as the page has it now. */
const url = page => page.evaluate(() => location.href);

/** Opens a panel by a click on its name. */
const panel = (page, name) => page.click(`.tabs label:has([value=${name}])`);

/** The page, when its script has filled it. */
const opened = async (page) => { await page.waitForSelector('#tools:not([hidden])'); return page; };

const probes = async () => (await (await fetch(address + '/stats')).json()).probes;

/** How much lighter one colour is than the other, as WCAG counts it. */
const contrast = page => page.evaluate(() => {
    const light = colour => {
        const [r, g, b] = colour.match(/[\d.]+/g).map(part => { const c = part / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const body = getComputedStyle(document.body);
    const [a, b] = [light(body.color), light(body.backgroundColor)].sort((a, b) => b - a);
    return { ratio: (a + 0.05) / (b + 0.05), dark: light(body.backgroundColor) < 0.2 };
});

/** What a picture of the page is made of: how many shapes have a size, and their colours. */
const drawn = page => page.locator('.picture').evaluate(frame => {
    const shapes = [...frame.shadowRoot.querySelectorAll('rect')].filter(rect => rect.getBoundingClientRect().width > 0);
    return { shapes: shapes.length, colours: [...new Set(shapes.map(shape => getComputedStyle(shape).fill))], text: frame.shadowRoot.textContent };
});

const wider = page => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

await run({
    async 'the slow route is found from the page alone, by Enter; results are live, and a stop keeps them'() {
        const page = await opened(await open(address));
        const chosen = await page.$$eval('#fields select', all => all.map(select => select.value.split('::').pop()));
        assert.deepEqual(chosen, ['REQUEST_BEGIN', 'REQUEST_END', 'request', 'route']);
        await page.fill('#seconds', '300');
        await page.press('#seconds', 'Enter');
        // Long before the time is up.
        await page.waitForFunction(() => document.querySelectorAll('#result tbody tr').length === 4);
        await page.waitForFunction(() => [...document.querySelectorAll('.state')].filter(state => state.textContent === 'on · 1 probe').length === 2);
        assert.equal(await page.innerText('#sessions'), '1 of 4');
        // A second Enter changes nothing; Escape stops.
        await page.keyboard.press('Enter');
        assert.equal(await page.locator('#stop').isVisible(), true);
        await page.keyboard.press('Escape');
        await says(page, 'Stopped. Measured for');
        const slowest = await page.innerText('#result .headline');
        assert.match(slowest, /^Slowest: GET \/orders\/report, p50 [\d.]+ (µs|ms), [\d.,]+ times that of the next\.$/);
        const titles = await page.locator('#result th').allInnerTexts();
        assert.deepEqual(titles.slice(0, 6), ['route', 'count', 'p50', 'p90', 'p99', 'max']);
        const { shapes, colours, text } = await drawn(page);
        assert.ok(shapes > 20, `${shapes} bars`);
        assert.ok(colours.length > 1 && !colours.includes('rgb(0, 0, 0)'), `its style is not applied: ${colours}`);
        // The picture has the order of the table.
        const routes = await page.locator('#result tbody td:first-child').allInnerTexts();
        const places = routes.map(route => text.search(new RegExp(route.replace(/[{}]/g, '.') + '\\s')));
        assert.deepEqual(places, [...places].sort((a, b) => a - b), `${routes}: ${places}`);
        // That of the README.
        await page.setViewportSize({ width: 1000, height: 700 });
        await page.fill('#seconds', '10');
        await page.evaluate(() => document.activeElement.blur());
        const { y, height } = await page.locator('#result').boundingBox();
        await page.screenshot({ path: path.join(out, 'probes.png'), fullPage: true, clip: { x: 0, y: 0, width: 1000, height: y + height + 16 } });
        for (const [name, expected] of Object.entries({ 'latency.svg': /^<svg /, 'latency.hlog': /^#\[Histogram log format/, 'latency.txt': /GET \/orders\/report/, 'latency.json': /"p50_ns"/ })) {
            const download = page.waitForEvent('download');
            await page.click(`text="${name}"`);
            await (await download).saveAs(path.join(out, name));
            assert.match(fs.readFileSync(path.join(out, name), 'utf8'), expected);
        }
        assert.equal(await probes(), 0);
        await close(page);
    },

    async 'From decides To by the shared stem; a ticked event is From; panel and fields are in the address'() {
        const page = await opened(await open(address));
        const becomes = (...expected) => page.waitForFunction(expected => {
            const all = [...document.querySelectorAll('#fields select')].map(select => select.value.split('::').pop());
            return expected.every((value, index) => all[index] === value);
        }, expected);
        for (const stem of ['LOOKUP', 'STORE', 'REQUEST']) {
            await page.locator('#fields select').first().selectOption(`live_server::events::${stem}_BEGIN`);
            await becomes(`${stem}_BEGIN`, `${stem}_END`, 'request');
        }
        await page.check('#events input[value$=STORE_BEGIN]');
        await becomes('STORE_BEGIN', 'STORE_END', 'request', 'operation');
        await page.fill('#seconds', '2');
        const same = await opened(await open(await url(page)));
        assert.deepEqual(await same.$$eval('#fields select', all => all.map(select => select.value.split('::').pop())), ['STORE_BEGIN', 'STORE_END', 'request', 'operation']);
        assert.equal(await same.inputValue('#seconds'), '2');
        await close(same);
        await panel(page, 'stacks');
        assert.match(await url(page), /#stacks\?event=/);
        // The lines for a terminal.
        await panel(page, 'latency');
        await becomes('STORE_BEGIN', 'STORE_END', 'request', 'operation');
        await page.click('.terminal summary');
        assert.match(await page.innerText('#curl'), /^curl -X POST 'http.*\/latency\?begin=live_server::events::STORE_BEGIN&end=.*&key=request&label=operation&seconds=2'$/);
        assert.match(await page.innerText('#cli'), /^hotprobe latency live_server::events::STORE_BEGIN live_server::events::STORE_END request --label operation --for 2s/);
        await close(page);
    },

    async 'filter, rates, record, tail'() {
        const page = await opened(await open(address));
        assert.equal(await page.locator('#events li').count(), 6);
        await page.fill('#match', 'STORE');
        await page.press('#match', 'Enter');
        await page.waitForFunction(() => document.querySelectorAll('#events li').length === 2);
        assert.match(await url(page), /match=STORE/);
        await page.fill('#seconds', '300');
        await panel(page, 'rates');
        await page.click('#run');
        await page.waitForFunction(() => [...document.querySelectorAll('.rate')].every(rate => parseFloat(rate.textContent) > 0));
        assert.equal(await probes(), 2);
        await page.click('#stop');
        await says(page, 'Stopped. Counted');
        // They stay.
        assert.match(await page.innerText('.rate >> nth=0'), /^was [\d,.]+ \/s$/);

        await panel(page, 'tail');
        await page.click('#run');
        await page.waitForSelector('#result tbody tr');
        assert.match(await page.innerText('#result tbody tr'), /STORE_(BEGIN|END)[\s\S]*request="RequestId\(\d+\)" operation=/);
        await page.keyboard.press('Escape');
        await says(page, 'Stopped. ');

        await page.goto(address + '#record');
        await opened(page);
        await page.fill('#seconds', '300');
        const download = page.waitForEvent('download');
        await page.click('#run');
        await page.waitForFunction(() => parseInt(document.querySelector('#result p').textContent.replace(',', '')) > 100);
        // What is stopped is saved, and can be opened.
        await page.keyboard.press('Escape');
        await (await download).saveAs(path.join(out, 'page.pftrace'));
        await says(page, 'Stopped. Recorded');
        await close(page);
    },

    async 'a trace is handed to Perfetto, which is a stub here'() {
        const page = await opened(await open(address + '#record'));
        await page.context().route('https://ui.perfetto.dev/**', route => route.fulfill({ contentType: 'text/html', body: `<!doctype html><script>
            addEventListener('message', ({ data, source, origin }) => {
                if (data === 'PING') source.postMessage('PONG', origin);
                else if (data.perfetto) document.title = data.perfetto.fileName + ' ' + data.perfetto.buffer.byteLength;
            });</` + 'script>' }));
        await page.fill('#seconds', '1');
        await page.click('#run');
        await measured(page);
        const popup = page.waitForEvent('popup');
        await page.click('text="Open in Perfetto"');
        const perfetto = await popup;
        await perfetto.waitForFunction(() => /^trace\.pftrace \d{4,}$/.test(document.title));
        await says(page, 'Perfetto has the trace');
        await perfetto.close();
        await close(page);
    },

    async 'stacks: a flame graph, a table, files; the picture also at its own address'() {
        const page = await opened(await open(address + '?match=STORE_BEGIN#stacks'));
        await page.fill('#seconds', '300');
        await page.click('#run');
        // Stacks of all routes, however slow the machine is.
        await page.waitForFunction(() => parseInt(document.querySelector('#result p')?.textContent.replaceAll(',', '')) > 3000);
        await page.keyboard.press('Escape');
        await measured(page);
        const { shapes, colours, text } = await drawn(page);
        // (The compiler decides how many calls are left.)
        assert.ok(shapes > 2, `${shapes} frames`);
        assert.ok(!colours.includes('rgb(0, 0, 0)'), `its style is not applied: ${colours}`);
        assert.match(text, /STORE_BEGIN/);
        assert.match(text, /folded: \d+ functions that all stacks have in common/);
        assert.match(await page.innerText('#result tbody'), /axum::.* ← .*\t[1-9][\d,]*\t\d+\.\d %/);
        const download = page.waitForEvent('download');
        await page.click('text="stacks.pb.gz"');
        await (await download).saveAs(path.join(out, 'page.pb.gz'));
        assert.deepEqual([...fs.readFileSync(path.join(out, 'page.pb.gz')).subarray(0, 2)], [0x1f, 0x8b]);
        await page.screenshot({ path: path.join(out, 'stacks.png'), fullPage: true });
        await close(page);
        const alone = await open(address + '/stacks?event=*::STORE_BEGIN&seconds=1&format=svg');
        const fills = await alone.$$eval('rect', all => [...new Set(all.map(rect => getComputedStyle(rect).fill))]);
        assert.ok(fills.length > 1 && !fills.includes('rgb(0, 0, 0)'), `its style is not applied: ${fills}`);
        await alone.screenshot({ path: path.join(out, 'flame.png') });
        await close(alone);
    },

    async 'the user sees what is wrong'() {
        const page = await opened(await open(address + '?match=nothing-is-called-so'));
        assert.match(await page.innerText('#main'), /No event has such a name/);
        await panel(page, 'rates');
        await page.click('#run');
        await says(page, 'nothing-is-called-so');
        assert.ok(!(await page.innerText('#state')).includes('{'), 'a sentence, and no JSON');
        await panel(page, 'latency');
        for (const wrong of ['', '4000', '0']) {
            await page.fill('#seconds', wrong);
            await page.press('#seconds', 'Enter');
            await says(page, 'expected a number from 0.1 to 300');
            assert.equal(await page.locator('#progress').isVisible(), false);
            await page.evaluate(() => { document.getElementById('state').textContent = ''; });
        }
        await page.fill('#seconds', '1');
        // Begin and end the same.
        await page.locator('#fields select').nth(1).selectOption(await page.locator('#fields select').nth(0).inputValue());
        await page.click('#run');
        await says(page, 'annot be both begin and end');
        assert.ok((await page.locator('#state').getAttribute('class')).includes('bad'));
        assert.equal(await probes(), 0);
        // A server that is gone.
        await page.route('**/latency', route => route.abort());
        page.wrong = { push() {} };
        await page.click('#run');
        await says(page, 'is the program still running?');
        await page.close();
    },

    async 'by keyboard alone: Tab to the filter, arrows between panels, Enter in any field'() {
        const page = await opened(await open(address));
        const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.value || '');
        const tab = async to => {
            for (let steps = 0; await focused() !== to; steps++) {
                assert.ok(steps < 30, `Tab does not reach ${to}`);
                await page.keyboard.press('Tab');
            }
        };
        await tab('latency');
        await page.keyboard.press('ArrowRight');
        assert.match(await page.innerText('#what'), /What happens often/);
        await page.keyboard.press('ArrowLeft');
        await tab('seconds');
        assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none', 'no focus is shown');
        await page.keyboard.press('Control+A');
        await page.keyboard.type('1');
        await page.focus('#fields select');
        await page.keyboard.press('Enter');
        await measured(page);
        assert.match(await page.innerText('#result'), /GET \/orders\/\{id\}/);
        await close(page);
    },

    async 'on a phone nothing is wider than it, results included, and the slow route is in view'() {
        const page = await opened(await open(address, { viewport: { width: 390, height: 844 }, hasTouch: true }));
        assert.ok(await wider(page) <= 0, 'the page');
        const button = await page.locator('#run').boundingBox();
        assert.ok(button.y + button.height < 844, `Run is in the first screen: ${button.y}`);
        await page.locator('#events summary').first().tap();
        assert.ok(await wider(page) <= 0, 'an event');
        await page.fill('#seconds', '1');
        for (const what of ['latency', 'stacks']) {
            await panel(page, what);
            assert.ok(await wider(page) <= 0, `the panel of ${what}`);
            await page.tap('#run');
            await measured(page);
            await page.waitForSelector('.picture', { state: 'attached' });
            assert.ok(await wider(page) <= 0, `the result of ${what}: ${await wider(page)} pixels`);
            await page.screenshot({ path: path.join(out, `phone-${what}.png`), fullPage: true });
            if (what === 'latency') {
                const bar = await page.locator('tr.slow .half').boundingBox();
                assert.ok(bar.x >= 0 && bar.x + bar.width <= 390, `the slow route's bar: ${JSON.stringify(bar)}`);
            }
        }
        await page.fill('#seconds', '300');
        await panel(page, 'tail');
        await page.tap('#run');
        await page.waitForSelector('#result tbody tr');
        assert.ok(await wider(page) <= 0, 'the tail');
        await page.tap('#stop');
        await says(page, 'Stopped');
        await close(page);
    },

    async 'in dark and in light it can be read, and axe-core finds nothing'() {
        for (const colorScheme of ['light', 'dark']) {
            for (const width of [1280, 390]) {
                const page = await opened(await open(address, { colorScheme, viewport: { width, height: 850 } }));
                const { ratio, dark } = await contrast(page);
                assert.equal(dark, colorScheme === 'dark');
                assert.ok(ratio > 7, `${colorScheme}: a contrast of ${ratio}`);
                await page.click('#help summary');
                await page.click('.terminal summary');
                await page.fill('#seconds', '1');
                for (const name of ['latency', 'rates', 'tail', 'stacks', 'record']) {
                    await panel(page, name);
                    await page.click('#run');
                    await measured(page);
                    assert.deepEqual(await axe(page), [], `${colorScheme}, ${width}, ${name}`);
                }
                await page.screenshot({ path: path.join(out, `live-${colorScheme}-${width}.png`), fullPage: true });
                await close(page);
            }
        }
    },

    async 'without a script all events can be read'() {
        const page = await open(address, { javaScriptEnabled: false });
        assert.equal(await page.locator('#events li').count(), 6);
        await page.click('#events li:has-text("STORE_END") summary');
        assert.match(await page.innerText('#events'), /orders: usize/);
        await close(page);
    },
});
await browser.close();
