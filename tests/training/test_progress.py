import json

from captioner.training.progress import LossLog


def test_a_run_that_goes_on_takes_its_last_steps_again(tmp_path):
    log = LossLog(tmp_path / "losses.jsonl")
    log.resume(0)
    for step in range(5):
        log.add({"step": step, "total": step / 3})
    with log.path.open("a") as file:
        file.write('{"step": 5, "tot')  # killed while writing
    log.resume(3)
    log.add({"step": 3, "total": 7.0})
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert lines == [{"step": step, "total": step / 3} for step in range(3)] + [{"step": 3, "total": 7.0}]
