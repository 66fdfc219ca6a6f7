/** Made by scripts/build: the files of embedded-manifests by name. */
declare module 'embedded:manifests' {
  export const manifests: Readonly<Record<string, string>>;
}
