/** Forked by archive-context: holds an archive as a librarian does, composes prompts, and reports its peak memory. */
import { setFlagsFromString } from 'node:v8';
import { createArchiveContext } from '../src/librarian/archive/context.ts';
import { toPrompt } from '../src/librarian/answer/prompt.ts';
import { connectRedis } from '../src/redis/connect.ts';
import { createDb } from '../src/redis/db.ts';

const QUESTIONS = 10;

setFlagsFromString('--optimize-for-size'); // as every process of the fleet
const [url = '', swarm = ''] = process.argv.slice(2);
const redis = await connectRedis(url, { role: 'worker', name: 'bench-holder' });
const context = createArchiveContext(createDb(redis, swarm));
let composed = 0;
for (let i = 0; i < QUESTIONS; i += 1) {
  await context.refresh();
  const question = `What is the yield of field ${i * 1_000}?`;
  const { text } = await context.show({ question, maxBytes: 900_000 * 4 });
  composed += Buffer.byteLength(JSON.stringify({ contents: toPrompt(text, question) })); // as a client sends it
}
if (composed === 0) throw new Error('nothing was composed');
await redis.quit();
process.send?.(process.resourceUsage().maxRSS / 1024, () => process.exit(0));
