import { join } from 'node:path';

/** Folder of a swarm's transcripts on this host. @param swarm null: the default one */
export function toTranscriptsFolder(dataFolder: string, swarm: string | null): string {
  return join(dataFolder, swarm ?? 'fleet', 'transcripts');
}

/** Folder of a job's transcript. Another program may have chosen the id: it never leaves the folder. */
export function toJobFolder(folder: string, jobId: string): string {
  return join(
    folder,
    encodeURIComponent(jobId).replace(/^\.+/, (dots) => '%2E'.repeat(dots.length)),
  );
}
