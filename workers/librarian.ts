/** pm2 app `librarian`: answers the archive's queries until SIGTERM. Process entry; nothing imports it. */
import { readArchiveRoute } from '../src/config/model-rows/archive-route.ts';
import { requireShards } from '../src/config/environment.ts';
import { toDrainMs } from '../src/process/drain.ts';
import { onShutdown } from '../src/process/shutdown.ts';
import { runLibrarian } from '../src/librarian/run-librarian.ts';
import { createArchiveModels } from '../src/models/create/archive-models.ts';
import { startProcess } from '../src/process/start.ts';

await startProcess('librarian', async (config, log) => {
  // A route may name models that need no shard.
  const shards = config.shards.length === 0 && readArchiveRoute(config) !== null ? [] : requireShards(config);
  const models = await createArchiveModels(config);
  const onStuck = (): void => void process.kill(process.pid, 'SIGTERM');
  const librarian = await runLibrarian({ config, shards, models, log, onStuck });
  onShutdown(
    { log, graceMs: toDrainMs(config), nothingToStore: librarian.nothingToStore, cutOff: librarian.cutOff },
    async () => {
      await librarian.close();
      await models.close();
    },
  );
});
