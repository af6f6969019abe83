/** pm2 app `coordinator`: carries out missions until SIGTERM. Process entry; nothing imports it. */
import { requireAnthropicKey } from '../src/config/environment.ts';
import { runCoordinator } from '../src/coordinator/run-coordinator.ts';
import { onShutdown } from '../src/process/shutdown.ts';
import { createModel } from '../src/models/create/model.ts';
import { startProcess } from '../src/process/start.ts';

await startProcess('coordinator', async (config, log) => {
  requireAnthropicKey(config);
  const { model, close } = await createModel(config);
  const coordinator = await runCoordinator({ config, model, log, onStuck: () => process.kill(process.pid, 'SIGTERM') });
  onShutdown({ log, graceMs: 145_000, nothingToStore: coordinator.nothingToStore }, async () => {
    await coordinator.close();
    await close();
  });
});
