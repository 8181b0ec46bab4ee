r"""Training any network of the zoo, or a baseline and the same network with attention, by one recipe.

Commands:

    cbam-lens train --network resnet18 --attention cbam --data DIR -o OUT/         one network
    cbam-lens train --lineup --data DIR -o OUT/                                      baseline, then CBAM
    cbam-lens train ... -o OUT/ --resume                                           go on, exactly
    torchrun --nproc-per-node 2 --no-python cbam-lens train ...                    several GPUs, or processes on CPUs
    torchrun --nnodes 2 --node-rank 0 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint FIRST:29400 \
        --no-python cbam-lens train ...                                            several machines, rank 1 on the other

The shipped lineup: see `models/training/recipes/efficientnet_lite0.toml`. A lineup like resnet18-110, from a folder
with `caltech101/`, `imagenette_train/`, `caltech101_test.txt`, `teacher_top64.npz`; the recipes lie there too:

    cbam-lens train --lineup --network resnet18 --data D/caltech101 --data D/imagenette_train \
        --labels models/weights/labels_110.json --card models/weights/resnet18_110.toml \
        --exclude D/caltech101_test.txt --validation D/caltech101 --validation-list D/caltech101_test.txt \
        --soft-labels D/teacher_top64.npz --recipe RECIPE --name resnet18-110 -o OUT/

RECIPE is `resnet18_110.toml` from scratch on a GPU, in one go. resnet18-110 was made on 2 CPU cores in three
goes: from scratch at 96 to 160 pixels, then with `--start-from FIRST/lineup.toml` by `resnet18_110_on.toml`, and so
again by `resnet18_110_gates.toml`. The three lineups that tell luck from CBAM: `resnet18_110_short.toml` with
`--seed 1`, 2 and 3.

On a rented GPU that ends each command after some minutes: copy the data there, in parts if necessary, under the same
names (the soft labels identify a picture by DIRECTORY/FOLDER/FILE). Keep OUT/ on that machine, and repeat the command
with `--resume --minutes 9` until it no longer says that it stopped; `--cache` saves the decoding. The command
`timeout --preserve-status -s TERM 540 cbam-lens train ...` does the same from outside. A first run with `--epochs 1
-o TRIAL/` passes through all phases, and its CSV has the pictures per second: epochs = available seconds * pictures per
second / pictures. `--lineup` trains all networks for the same number of epochs, which takes longer with CBAM. Copy
back OUT/ without `*.state.pt` and `pictures.safetensors`.

The parts in their order: `recipe` has the settings and `material` the data. `sampling` plans every epoch from (seed,
epoch) alone. `variation` draws crops from (seed, epoch, step). `batches` cuts them from memory in threads, and
`augmentation` resamples and colours them on the device. `targets` and `gate_loss` compute the losses. `learner` does
one step; `trainer` does all steps and writes the log and the state. `run` writes weights and cards. A run's random
draws depend on nothing else: not on the network, the number of processes or the step at which it was stopped.
"""
