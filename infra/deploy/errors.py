"""What can be wrong before or while something is deployed, in a sentence with the cure."""

from __future__ import annotations


class DeployError(Exception):
    """Why nothing more was done."""


class NoCredentialsHereError(DeployError):
    def __init__(self, reason: object):
        super().__init__(
            f"AWS does not know who you are ({reason}): run 'aws configure', or set AWS_PROFILE."
        )


class NoRegionError(DeployError):
    def __init__(self) -> None:
        super().__init__("No region is set: give --region, or set AWS_REGION.")


class NoEngineError(DeployError):
    def __init__(self) -> None:
        super().__init__(
            "Neither Docker nor Podman runs here, and one must build the worker's image: "
            "start one, or deploy without workers, by --worker none."
        )


class NoImageError(DeployError):
    """``before`` is the kind of the workers that are deployed, ``None`` before there is a stack."""

    def __init__(self, worker: str, before: str | None):
        super().__init__(
            f"There is no image of --worker {worker} to keep, for the stack "
            f"{'is not there yet' if before is None else f'has that of --worker {before}'}: "
            "deploy without --keep-image."
        )


class NoSamError(DeployError):
    def __init__(self, program: object):
        super().__init__(f"SAM's command line is not there ({program}): run 'make build' once.")


class QuotaError(DeployError):
    """``quotas`` are the codes of both: spot and on demand."""

    def __init__(
        self, spot: float, on_demand: float, region: str, *, needed: int, quotas: tuple[str, str]
    ):
        super().__init__(
            f"This account may run {spot:g} vCPUs of G instances on spot and {on_demand:g} on "
            f"demand in {region}, and one worker needs {needed}: ask for more under Service "
            f"Quotas, EC2, quotas {quotas[0]} (spot) and {quotas[1]} (on demand), or deploy with "
            "--worker cpu."
        )


class InstanceTypesError(DeployError):
    def __init__(self, missing: list[str], region: str, *, needed: int):
        super().__init__(
            f"There is no {' and no '.join(missing)} in {region}: name other types with a GPU, of "
            f"{needed} vCPUs and 16 GiB, by --parameter GpuInstanceTypes=…, or deploy with "
            "--worker cpu."
        )


class OnlyDeletableError(DeployError):
    def __init__(self, name: str, status: str):
        super().__init__(
            f"The stack {name} is in the state {status}, in which it can only be deleted: "
            "run 'make destroy' first, then deploy again."
        )


class CommandFailedError(DeployError):
    def __init__(self, command: list[str], code: int):
        super().__init__(f"'{' '.join(command[:3])} …' failed with exit code {code}; see above.")


class NoStackError(DeployError):
    def __init__(self, name: str, region: str):
        super().__init__(f"There is no stack named {name} in {region}.")


class NotDeletedError(DeployError):
    def __init__(self, name: str, reasons: list[str]):
        super().__init__(f"The stack {name} could not be deleted: {'; '.join(reasons)}")


class NothingDeletedError(DeployError):
    def __init__(self) -> None:
        super().__init__("Nothing was deleted.")
