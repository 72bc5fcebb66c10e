// Drives the page of a `live_server` that is under load, in headless Chromium, as one who has never seen it.
//   node live.mjs SERVER OUT
// OUT gets pictures, and what was downloaded. Needs playwright-core in node_modules of the working directory.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { browser, close, open, run, says } from './browser.mjs';

const [server, out] = process.argv.slice(2);
const address = server + '/debug/probes';
const measured = page => says(page, 'Measured; nothing is attached');

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
    async 'the slow route is found from the page alone: Latency, Measure'() {
        const page = await open(address);
        await page.click('[data-do=latency]');
        await page.waitForSelector('#measure');
        await page.fill('#seconds', '3');
        await page.click('#measure');
        await measured(page);
        const slowest = await page.innerText('#result p');
        assert.match(slowest, /^Slowest: GET \/orders\/report, half within [\d.]+ (µs|ms), \d+ times the next\.$/m);
        const rows = await page.locator('#result tbody tr').count();
        assert.equal(rows, 4, 'a row for each route that is asked');
        const { shapes, colours, text } = await drawn(page);
        assert.ok(shapes > 20, `${shapes} bars`);
        assert.ok(colours.length > 1 && !colours.includes('rgb(0, 0, 0)'), `its style is not applied: ${colours}`);
        assert.match(text, /GET \/orders\/report/);
        // That of the README.
        await page.setViewportSize({ width: 1000, height: 700 });
        await page.screenshot({ path: path.join(out, 'probes.png'), fullPage: true });
        for (const [name, expected] of Object.entries({ 'latency.svg': /^<svg /, 'latency.hlog': /^#\[Histogram log format/, 'latency.txt': /GET \/orders\/report/, 'latency.json': /"p50_ns"/ })) {
            const download = page.waitForEvent('download');
            await page.click(`text="${name}"`);
            await (await download).saveAs(path.join(out, name));
            assert.match(fs.readFileSync(path.join(out, name), 'utf8'), expected);
        }
        assert.equal(await probes(), 0);
        await close(page);
    },

    async 'filter, watch rates, record, tail'() {
        const page = await open(address);
        assert.equal(await page.locator('#events li').count(), 6);
        await page.fill('#match', 'STORE');
        await page.press('#match', 'Enter');
        await page.waitForURL('**match=STORE');
        assert.equal(await page.locator('#events li').count(), 2);
        await page.fill('#seconds', '10');
        await page.click('[data-do=watch]');
        await page.waitForFunction(() => [...document.querySelectorAll('.rate')].every(rate => parseFloat(rate.textContent) > 0), null, { timeout: 600000 });
        assert.equal(await probes(), 2);
        await page.click('[data-do=stop]');
        await says(page, 'Stopped');

        await page.click('[data-do=tail]');
        await page.waitForSelector('#result tbody tr');
        assert.match(await page.innerText('#result tbody tr'), /STORE_(BEGIN|END)[\s\S]*request="RequestId\(\d+\)" operation=/);
        await page.click('[data-do=stop]');
        await says(page, 'Stopped');

        await page.goto(address);
        await page.fill('#seconds', '2');
        const download = page.waitForEvent('download', { timeout: 600000 });
        await page.click('[data-do=record]');
        await (await download).saveAs(path.join(out, 'page.pftrace'));
        await says(page, 'Recorded');
        await close(page);
    },

    async 'stacks: a flame graph, a table, files'() {
        const page = await open(address + '?match=STORE_BEGIN');
        await page.click('[data-do=stacks]');
        await page.waitForSelector('#measure');
        await page.fill('#seconds', '1');
        await page.click('#measure');
        await measured(page);
        const { shapes, colours, text } = await drawn(page);
        assert.ok(shapes > 5, `${shapes} frames`);
        assert.ok(!colours.includes('rgb(0, 0, 0)'), `its style is not applied: ${colours}`);
        assert.match(text, /STORE_BEGIN/);
        assert.match(await page.innerText('#result tbody'), /axum::.* ← .*\t[1-9]\d*\t\d+\.\d %/);
        const download = page.waitForEvent('download');
        await page.click('text="stacks.pb.gz"');
        await (await download).saveAs(path.join(out, 'page.pb.gz'));
        assert.deepEqual([...fs.readFileSync(path.join(out, 'page.pb.gz')).subarray(0, 2)], [0x1f, 0x8b]);
        await page.screenshot({ path: path.join(out, 'stacks.png'), fullPage: true });
        await close(page);
    },

    async 'what is wrong is said to the user'() {
        const page = await open(address + '?match=nothing-is-called-so');
        assert.match(await page.innerText('#main'), /No event is called so/);
        await page.click('[data-do=watch]');
        await says(page, 'none of the program’s 6 events'.replace('’', "'"));
        await page.click('[data-do=latency]');
        await says(page, "none of the program's 6 events");
        await page.goto(address);
        await page.click('[data-do=latency]');
        await page.waitForSelector('#measure');
        await page.fill('#seconds', '4000');
        await page.click('#measure');
        await says(page, '`seconds` is `4000`: expected a number from 0.1 to 300');
        await page.fill('#seconds', '1');
        // Begin and end the same.
        await page.locator('#panel select').nth(1).selectOption(await page.locator('#panel select').nth(0).inputValue());
        await page.click('#measure');
        await says(page, 'cannot be both begin and end');
        assert.ok((await page.locator('#state').getAttribute('class')).includes('bad'));
        assert.equal(await probes(), 0);
        await close(page);
    },

    async 'by keyboard alone: Tab to the filter, to the buttons, to Measure'() {
        const page = await open(address);
        const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.dataset.do || '');
        const tab = async to => {
            for (let steps = 0; await focused() !== to; steps++) {
                assert.ok(steps < 30, `Tab does not reach ${to}`);
                await page.keyboard.press('Tab');
            }
            assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none', `${to} shows no focus`);
        };
        await tab('match');
        await page.keyboard.type('REQUEST');
        await page.keyboard.press('Enter');
        await page.waitForURL('**match=REQUEST');
        await tab('seconds');
        await page.keyboard.press('Control+A');
        await page.keyboard.type('1');
        await tab('latency');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.activeElement.id === 'measure');
        await page.keyboard.press('Enter');
        await measured(page);
        assert.match(await page.innerText('#result'), /GET \/orders\/\{id\}/);
        assert.equal(await focused(), 'measure', 'the focus comes back');
        await close(page);
    },

    async 'on a phone nothing is wider than it, results included'() {
        const page = await open(address, { viewport: { width: 375, height: 740 }, hasTouch: true });
        assert.ok(await wider(page) <= 0, 'the page');
        await page.locator('#events summary').first().tap();
        assert.ok(await wider(page) <= 0, 'an event');
        await page.fill('#seconds', '1');
        for (const what of ['latency', 'stacks']) {
            await page.tap(`[data-do=${what}]`);
            await page.waitForSelector('#measure');
            assert.ok(await wider(page) <= 0, `the panel of ${what}`);
            await page.tap('#measure');
            await measured(page);
            await page.waitForSelector('.picture');
            assert.ok(await wider(page) <= 0, `the result of ${what}: ${await wider(page)} pixels`);
            await page.screenshot({ path: path.join(out, `phone-${what}.png`), fullPage: true });
            await page.evaluate(() => { document.getElementById('state').textContent = ''; });
        }
        await page.fill('#seconds', '5');
        await page.tap('[data-do=tail]');
        await page.waitForSelector('#result tbody tr');
        assert.ok(await wider(page) <= 0, 'the tail');
        await page.tap('[data-do=stop]');
        await says(page, 'Stopped');
        await close(page);
    },

    async 'in dark and in light it can be read'() {
        for (const colorScheme of ['light', 'dark']) {
            const page = await open(address, { colorScheme });
            const { ratio, dark } = await contrast(page);
            assert.equal(dark, colorScheme === 'dark');
            assert.ok(ratio > 7, `${colorScheme}: a contrast of ${ratio}`);
            await page.screenshot({ path: path.join(out, `live-${colorScheme}.png`) });
            await close(page);
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
