import { UsageError } from '../../../errors.ts';
import { forgetRuns } from '../../../run-record/transcripts/forget.ts';
import { findTranscript } from '../../../run-record/transcripts/transcripts.ts';
import { toTranscriptsFolder } from '../../../run-record/transcripts/places.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { countOf } from '../../../text/plural.ts';
import { escapeControls } from '../../../text/without-controls.ts';
import { findJob } from '../../../timeline/find-job.ts';
import { followTimeline } from '../../../timeline/follow-timeline.ts';
import type { JobLook } from '../../../timeline/read-job.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { lineWidth, wantsColour } from '../../output/print.ts';
import { TimelinePrinter } from '../../follow/timeline.ts';

export interface JobOptions {
  follow?: boolean;
  forget?: boolean;
  json?: boolean;
}

/** Does `fleet job`. */
export async function runJobCommand(id: string, options: JobOptions): Promise<void> {
  if (options.forget === true && options.follow === true)
    throw new UsageError('--forget: expected it without --follow');
  if (options.forget === true) return withFleet((fleet) => forget(fleet, id, options), { writesWhenFull: true });
  await withFleet((fleet) => show(fleet, id, options));
}

async function show(
  { inner: { db, config } }: OpenFleet,
  id: string,
  { follow = false, json = false }: JobOptions,
): Promise<void> {
  const job = await findJob(db, id);
  const printer = new TimelinePrinter({ width: lineWidth(), colour: wantsColour() });
  const print = (line: string): void => console.log(line);
  let last: JobLook | null = null;
  for await (const entry of followTimeline(db, job, {
    follow,
    say: (line) => console.error(line),
    onLook(look) {
      if (json && last === null) print(toJson(look.details));
      if (!json) for (const line of last === null ? printer.head(look) : printer.change(look)) print(line);
      last = look;
    },
  })) {
    print(json ? toJson({ ...entry, at: new Date(entry.at).toISOString() }) : printer.entry(entry));
  }
  if (json || last === null) return;
  for (const line of printer.foot(last)) print(line);
  const transcript = await findTranscript(toFolder(config), job.id);
  if (transcript !== null) print(`Its transcript: ${countOf(transcript.calls, 'call')} in ${transcript.path}`);
}

/** Removes what is kept of a job for people alone. */
async function forget({ inner: { db, config } }: OpenFleet, id: string, { json = false }: JobOptions): Promise<void> {
  const job = await findJob(db, id);
  const { record: hadRecord, transcript: hadTranscript } = await forgetRuns(db, toFolder(config), job.id);
  if (json) return console.log(toJson({ id: job.id, record: hadRecord, transcript: hadTranscript }));
  const gone = [...(hadRecord ? ['its record'] : []), ...(hadTranscript ? ['its transcript on this host'] : [])];
  console.log(
    `${job.id}: ${gone.length === 0 ? 'there is no record and, on this host, no transcript' : `removed ${gone.join(' and ')}`}`,
  );
}

function toFolder({ dataFolder, FLEET_SWARM: swarm }: OpenFleet['inner']['config']): string {
  return toTranscriptsFolder(dataFolder, swarm ?? null);
}

function toJson(value: object): string {
  return escapeControls(JSON.stringify(value));
}
