import { noteChange } from '../../audit/note-change.ts';
import type { Db } from '../../redis/db.ts';
import { removeTranscript } from './transcripts.ts';

/** Removes what is kept of a job for people alone. @param folder of the transcripts on this host. @returns what there was */
export async function forgetRuns(
  db: Db,
  folder: string,
  jobId: string,
): Promise<{ record: boolean; transcript: boolean }> {
  const record = (await db.redis.del(db.keys.run(jobId))) === 1;
  const transcript = await removeTranscript(folder, jobId);
  if (record || transcript)
    await noteChange(db, { what: 'forget', about: { job: jobId }, before: { record, transcript } });
  return { record, transcript };
}
