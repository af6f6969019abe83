/** pm2 app `coordinator`: carries out missions until SIGTERM. Process entry; nothing imports it. */
import { runCoordinator } from '../src/coordinator/run-coordinator.ts';
import { toDrainMs } from '../src/process/drain.ts';
import { onShutdown } from '../src/process/shutdown.ts';
import { createModel } from '../src/models/create/model.ts';
import { createCatalog } from '../src/pricing/catalog.ts';
import { startProcess } from '../src/process/start.ts';

await startProcess('coordinator', async (config, log) => {
  const { model, close } = await createModel(config, createCatalog(config.models), [config.FLEET_SONNET_MODEL]);
  const coordinator = await runCoordinator({ config, model, log, onStuck: () => process.kill(process.pid, 'SIGTERM') });
  onShutdown(
    { log, graceMs: toDrainMs(config), nothingToStore: coordinator.nothingToStore, cutOff: coordinator.cutOff },
    async () => {
      await coordinator.close();
      await close();
    },
  );
});
