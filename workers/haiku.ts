/** pm2 app `haiku`: works the tasks queue until SIGTERM. Process entry; nothing imports it. */
import { runHaiku } from '../src/haiku/run-haiku.ts';
import { toDrainMs } from '../src/process/drain.ts';
import { onShutdown } from '../src/process/shutdown.ts';
import { createModel } from '../src/models/create/model.ts';
import { startProcess } from '../src/process/start.ts';

await startProcess('haiku', async (config, log) => {
  const { model, close } = await createModel(config);
  const haiku = await runHaiku({ config, model, log, onStuck: () => process.kill(process.pid, 'SIGTERM') });
  onShutdown(
    { log, graceMs: toDrainMs(config), nothingToStore: haiku.nothingToStore, cutOff: haiku.cutOff },
    async () => {
      await haiku.close();
      await close();
    },
  );
});
