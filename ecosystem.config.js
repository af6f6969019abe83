/**
 * The fleet for pm2: `pm2 start ecosystem.config.js`. It reads the configuration (also the `.env` of the fleet's home)
 * only for the number of processes. Each process reads its own, so that a changed `.env` takes effect with a reload.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
require('./scripts/require-node.cjs');
if (!existsSync(new URL('./dist/src/config/environment.js', import.meta.url))) {
  console.error('haiku-fleet is not built: run `npm ci` (or `npm run build`) first');
  process.exit(1);
}

const { loadConfig } = require('./dist/src/config/environment.js');
const { buildApps } = require('./dist/src/pm2/apps.js');
const { handOverSecrets } = require('./dist/src/pm2/hand-over.js');

function readApps() {
  try {
    const config = loadConfig(process.env);
    handOverSecrets(config, false);
    return buildApps(config);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

export const apps = readApps();
