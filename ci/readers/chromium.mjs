// Headless Chromium, for all readers. It asks nobody for anything by itself. Needs playwright-core
// in node_modules of the working directory (ci/lib/install.sh).
import { createRequire } from 'node:module';
import path from 'node:path';

const { chromium } = createRequire(path.join(process.cwd(), 'from-here.js'))('playwright-core');

export const browser = await chromium.launch({
    timeout: 600000,
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync'],
});

// What hangs is a failure; what is slow is not.
const newPage = browser.newPage.bind(browser);
browser.newPage = async options => {
    const page = await newPage(options);
    page.setDefaultTimeout(600000);
    return page;
};
