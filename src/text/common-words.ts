const COMMON = new Set(
  'a an as at be by do he if in is it me my no of on or so to up us we the and for are was were what which who how why when where does did has have had that this with from into about there their they them been can could would should will any all not you your our its'.split(
    ' ',
  ),
);

/** Whether a word is too common in English to search or to rank by. @param word in lower case */
export function isCommonWord(word: string): boolean {
  return COMMON.has(word);
}
