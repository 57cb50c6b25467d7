// The languages of code, by the names that pages give them.

/** Such a word can stand alone as a class, or as a label above the code. */
export const LANGUAGES: readonly string[] = [
  ...["bash", "sh", "shell", "console", "js", "javascript", "ts", "typescript", "jsx", "tsx"],
  ...["json", "yaml", "toml", "html", "css", "scss", "python", "ruby", "rust", "go", "java"],
  ...["kotlin", "swift", "c", "cpp", "csharp", "php", "sql", "diff", "xml"],
];
