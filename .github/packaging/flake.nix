# nix build path:.?dir=.github/packaging   from the root of a checkout
{
  description = "Supervises login flows on headless boxes in one full-screen terminal program";
  inputs.nixpkgs.url = "nixpkgs";
  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
      each = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in {
      packages = each (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = "authdeck";
          version = (builtins.fromTOML (builtins.readFile ../../Cargo.toml)).package.version;
          src = ../..;
          cargoLock.lockFile = ../../Cargo.lock;
          buildType = "dist";
          # The suite wants tmux, sshd, network namespaces and real CLIs: `tests/run` installs and runs it.
          doCheck = false;
          nativeBuildInputs = [ pkgs.installShellFiles ];
          postInstall = ''
            $out/bin/authdeck man man
            installManPage man/*.1
            for shell in bash fish zsh; do
              $out/bin/authdeck completions $shell > authdeck.$shell
            done
            installShellCompletion authdeck.{bash,fish,zsh}
          '';
        };
      });
    };
}
