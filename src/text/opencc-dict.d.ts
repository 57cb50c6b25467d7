declare module "opencc-js/dict/TSCharacters" {
  /** "traditional simplified|…" */
  const entries: string;
  export default entries;
}
