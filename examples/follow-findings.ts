/**
 * Prints all findings as they are stored, or those of one batch, until Ctrl-C.
 *
 *   node dist/examples/follow-findings.js nightly
 */
import { connectFleet } from 'haiku-fleet';

const [batch] = process.argv.slice(2);

const fleet = await connectFleet();
process.once('SIGINT', () => void fleet.close()); // ends the loop below
for (const finding of await fleet.findings.list({ limit: 5 })) console.log(`earlier: ${finding.finding_id}`);

const findings = fleet.findings.follow(batch === undefined ? {} : { batch });
console.log('following');
for await (const finding of findings) {
  console.log(`${finding.finding_id}: ${finding.summary ?? ''}`);
}
