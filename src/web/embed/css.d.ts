// scripts/embed.ts bundles a style sheet into the module as its text.

declare module "*.css" {
  const text: string;
  export default text;
}
