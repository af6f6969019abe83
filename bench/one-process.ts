/** Process entry of the throughput benchmark: bare BullMQ and the whole path in turn. */
import { measureRates } from './throughput.ts';

const rates = await measureRates();
process.send?.(rates, () => process.disconnect());
