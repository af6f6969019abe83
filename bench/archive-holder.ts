/** Forked by archive-context: holds an archive as a librarian does, composes prompts, and reports its peak memory and how long the load took. */
import { createArchiveContext } from '../src/librarian/archive/context.ts';
import { toPrompt } from '../src/librarian/answer/prompt.ts';
import { keepHeapSmall } from '../src/process/heap-size.ts';
import { connectRedis } from '../src/redis/connect.ts';
import { createDb } from '../src/redis/db.ts';

const QUESTIONS = 10;

keepHeapSmall(); // as every process of the fleet
const [url = '', swarm = ''] = process.argv.slice(2);
const redis = await connectRedis(url, { role: 'worker', name: 'bench-holder' });
const context = createArchiveContext(createDb(redis, swarm));
const began = performance.now();
await context.refresh();
const loadedMs = performance.now() - began;
let composed = 0;
for (let i = 0; i < QUESTIONS; i += 1) {
  await context.refresh();
  const question = `What is the yield of field ${i * 1_000}?`;
  const { text } = await context.show({ question, maxBytes: 900_000 * 4 });
  composed += Buffer.byteLength(JSON.stringify({ contents: toPrompt(text, question) })); // as a client sends it
}
if (composed === 0) throw new Error('nothing was composed');
await redis.quit();
process.send?.({ peakMb: process.resourceUsage().maxRSS / 1024, loadedMs }, () => process.exit(0));
