/** pm2 app `bridge`: takes the tasks of other programs until SIGTERM. Process entry; nothing imports it. */
import { serveV2 } from '../src/bridge-v2/run-v2.ts';
import { runBridge } from '../src/bridge/run-bridge.ts';
import { LEAVE_MS } from '../src/process/drain.ts';
import { onShutdown } from '../src/process/shutdown.ts';
import { startProcess } from '../src/process/start.ts';

await startProcess('bridge', async (config, log) => {
  const bridge = await runBridge({ config, log, v2: serveV2 });
  onShutdown({ log, graceMs: LEAVE_MS, nothingToStore: bridge.nothingToStore }, () => bridge.close());
});
