import { toStoredTokens } from './stored.ts';
import type { Finding } from './finding.ts';
import type { Db } from '../redis/db.ts';

/**
 * Records a finding that no job ends with, and announces it. The same id is recorded once, however often it is given.
 * @returns false where it was there already
 */
export async function noteFinding({ keys, scripts }: Db, finding: Finding): Promise<boolean> {
  const { finding_id: id, session } = finding;
  const text = JSON.stringify(finding);
  const answer = await scripts['note-finding'](
    [keys.finding(id), keys.index, keys.indexBySession(session), keys.contextActive, keys.session, keys.events],
    [
      JSON.stringify([id, String(Date.parse(finding.at)), String(toStoredTokens(text)), session, keys.channelFindings]),
      text,
    ],
  );
  return answer === 'recorded';
}
