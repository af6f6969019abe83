/** What a reply cost in tokens. `input` excludes what came from or went to the cache. */
export interface Usage {
  input: number;
  cache_write: number;
  cache_read: number;
  output: number;
}
