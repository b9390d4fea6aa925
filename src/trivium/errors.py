"""What is told to people when their data, their settings or their machine is in the way."""


class UserError(Exception):
    """A mistake that the user can mend. The message is one paragraph: what is wrong, where, what to do.

    `trivium.stage` and the command line print it without a stack trace and exit with code 1.
    """
