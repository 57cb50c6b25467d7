declare module "opencc-js/dict/TSCharacters" {
  /** Entries parted by bars, each with two characters parted by a blank. */
  const entries: string;
  export default entries;
}
