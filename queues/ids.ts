/** Ids of queries and of their answers begin with this; no other id does. */
export const QUERY_PREFIX = 'archive_';
